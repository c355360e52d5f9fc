export function testNodePath(major: number): string;
export function ensureTestNodes(): Promise<Record<string, string>>;
