/**
 * Sessions of the local engine: commands that run in a sprite and outlive whoever started them. All state is
 * in the session's directory (session-dir.ts); what runs on the host for it is a shell and a dd per log
 * (supervisor.ts).
 */
export { findSession } from './find-session.ts';
export { killSession } from './kill-session.ts';
export { openSession } from './open-session.ts';
export { countRunningSessions, listSessions } from './session-facts.ts';
export { isStandingStill } from './start-error.ts';
