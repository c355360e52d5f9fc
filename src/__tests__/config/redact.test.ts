import { expect, test } from 'bun:test';
import { REDACTED, redacted, redactText } from '../../config/redact.ts';

test('redacted() hides tokens, every variable not known to be plain, and secrets in arguments', () => {
  const shown = redacted({
    agent: {
      kind: 'sprite',
      token: 'canary-1',
      max_tokens: 4096,
      args: ['--api-key', 'canary-2', '--token=canary-3', '--model', 'm', 'sk-ant-canary4canary4'],
      baseUrl: 'https://user:canary-5@example.com/v1?api_key=canary-6&x=1',
      setup: [
        'curl -H "Authorization: Bearer eyJcanary7xx.eyJcanary7.sig" x',
        'GITHUB_TOKEN=canary-8 npm ci',
      ],
      env: {
        ANTHROPIC_API_KEY: 'canary-9',
        MY_PAT: 'canary-10',
        ANTHROPIC_BASE_URL: 'https://example.com/',
        PROXY_URL: 'http://u:canary-11@proxy',
        LANG: 'C.UTF-8',
      },
    },
  });
  expect(JSON.stringify(shown)).not.toContain('canary');
  expect(shown).toMatchObject({
    agent: {
      max_tokens: 4096,
      args: ['--api-key', REDACTED, `--token=${REDACTED}`, '--model', 'm', REDACTED],
      baseUrl: `https://${REDACTED}@example.com/v1?api_key=${REDACTED}&x=1`,
      env: { MY_PAT: REDACTED, ANTHROPIC_BASE_URL: 'https://example.com/', LANG: 'C.UTF-8' },
    },
  });
});

test('redactText() leaves ordinary text alone', () => {
  for (const text of [
    'npm test',
    'main',
    '<promise>COMPLETE</promise>',
    'glm-4.7',
    '/opt/bin/sprite',
    'sk-1',
  ]) {
    expect(redactText(text)).toBe(text);
  }
});
