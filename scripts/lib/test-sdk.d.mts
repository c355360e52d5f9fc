export function testSdkDir(): string;
export function ensureTestSdk(): Promise<string>;
