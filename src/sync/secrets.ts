/**
 * Files that stay on this machine whatever git tracks: by name, or, where the name alone does not decide, by
 * what is in them. A rule without `content` withholds by name.
 */
import type { BytePath } from './byte-path.ts';

export interface SecretRule {
  /** Short and stable, for JSON. */
  readonly id: string;
  readonly path: RegExp;
  /** The first of the content must match, too; without a match the file goes. */
  readonly content?: RegExp;
  /** Why it stays, after the file's name. */
  readonly reason: string;
}

/** How much of a file is looked at. */
export const SECRET_PEEK_BYTES = 64 * 1024;

const PRIVATE_KEY = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----/;
/** A token written out; a reference such as `${NPM_TOKEN}` is none. */
const NPM_TOKEN = /(_authToken|_auth|_password|npmAuthToken|npmAuthIdent)["']?\s*[=:]\s*["']?(?!\$\{)[^\s"']/;
/** A key whose name says secret, with text for a value. */
const SECRET_VALUE =
  /["']?[a-z0-9_-]*(token|secret|passw(or)?d|api[_-]?key|access[_-]?key|private[_-]?key|credential)[a-z0-9_-]*["']?\s*[:=]\s*["'](?!\$\{)[^"'\s]+["']/i;

function named(id: string, path: RegExp, reason: string): SecretRule {
  return { id, path, reason };
}

export const SECRET_RULES: readonly SecretRule[] = [
  named('wreckit-local', /(^|\/)\.wreckit\/config\.local\.json$/i, 'holds your own settings and tokens'),
  {
    id: 'wreckit-config',
    path: /(^|\/)(\.wreckitrc|\.wreckit\/config\.json)$/i,
    content: SECRET_VALUE,
    reason: 'is a wreckit configuration with a secret in it',
  },
  // Samples are there to be read; everything else of this name holds values.
  named(
    'env',
    /(^|\/)\.env(?!\.(example|sample|template|dist|defaults?|schema)$)([^/a-z][^/]*|rc)?$/i,
    'is an environment file',
  ),
  {
    id: 'env',
    path: /\.env$/i,
    content: /^\s*(export\s+)?\w*(token|secret|passw|pwd|key|credential|dsn|_url)\w*\s*=\s*\S/im,
    reason: 'is an environment file with a secret in it',
  },
  named('ssh', /(^|\/)\.ssh(\/|$)/i, 'is of an SSH directory'),
  named('ssh-key', /(^|\/)id_(rsa|dsa|ecdsa|ed25519)(_sk)?$/i, 'is an SSH private key'),
  named('gnupg', /(^|\/)\.gnupg(\/|$)/i, 'is of a GnuPG directory'),
  named('key-store', /\.(p12|pfx|jks|keystore|kdbx?|ppk|keychain(-db)?)$/i, 'is a store of private keys'),
  {
    id: 'private-key',
    path: /\.(pem|key|asc|der|pk8|crt|priv)$/i,
    content: PRIVATE_KEY,
    reason: 'has a private key in it',
  },
  named('master-key', /(^|\/)(master|production|staging)\.key$/i, 'is a key of encrypted credentials'),
  named('netrc', /(^|\/)[._]netrc(\.gpg)?$/i, 'holds passwords for hosts'),
  named('git-credentials', /(^|\/)\.git-credentials$/i, 'holds passwords for git'),
  named(
    'password-file',
    /(^|\/)\.(pgpass|my\.cnf|mylogin\.cnf|s3cfg|boto|htpasswd|vault-token)$/i,
    'holds passwords',
  ),
  {
    id: 'npm-token',
    path: /(^|\/)(\.npmrc|\.yarnrc(\.yml)?|bunfig\.toml)$/i,
    content: NPM_TOKEN,
    reason: 'has a registry token in it',
  },
  {
    id: 'pypirc',
    path: /(^|\/)\.pypirc$/i,
    content: /passw|token/i,
    reason: 'has a registry password in it',
  },
  {
    id: 'composer-auth',
    path: /(^|\/)auth\.json$/i,
    content: /token|password|http-basic|secret|bearer/i,
    reason: 'holds credentials',
  },
  named('aws', /(^|\/)\.aws\/(credentials|config|sso\/|cli\/)/i, 'holds AWS credentials'),
  named('cloud', /(^|\/)(\.azure|\.config\/gcloud|\.oci|\.bluemix)\//i, 'holds cloud credentials'),
  named('kube', /(^|\/)(\.kube\/|kubeconfig$|[^/]*\.kubeconfig$)/i, 'holds cluster credentials'),
  named('docker', /(^|\/)(\.docker\/config\.json|\.dockercfg)$/i, 'holds registry credentials'),
  {
    id: 'service-account',
    path: /(^|\/)[^/]*(credential|client_secret|service[-_]?account|firebase)[^/]*\.json$/i,
    content: /"(private_key|client_secret|refresh_token|access_token|aws_secret_access_key)"\s*:/i,
    reason: 'holds the credentials of an account',
  },
  named(
    'terraform-state',
    /\.tfstate(\.backup|\.[0-9.]+\.backup)?$/i,
    'is a Terraform state, which holds secrets in clear',
  ),
  { id: 'terraform-vars', path: /\.tfvars(\.json)?$/i, content: SECRET_VALUE, reason: 'has a secret in it' },
  named(
    'secrets-file',
    /(^|\/)\.?secrets?\.(json|ya?ml|toml|env|ini|properties|txt)$/i,
    'is a file of secrets',
  ),
  named(
    'agent-credentials',
    /(^|\/)(\.claude\/\.credentials\.json|\.codex\/auth\.json|\.config\/gh\/hosts\.yml)$/i,
    'holds the credentials of a tool',
  ),
  named('sprites-token', /(^|\/)\.sprites?\/(config|credentials|token)[^/]*$/i, 'holds a sprite token'),
  named('rails', /(^|\/)config\/credentials\/[^/]+\.key$/i, 'is a key of encrypted credentials'),
];

export interface SecretVerdict {
  readonly rule: string;
  readonly reason: string;
}

/** `peek` reads the first `SECRET_PEEK_BYTES` as latin1 text; null when it can't be read: then it stays. */
export function secretVerdict(path: BytePath, peek: () => string | null): SecretVerdict | null {
  if (!hasSecretName(path)) return null;
  for (const rule of SECRET_RULES) {
    if (!rule.path.test(path)) continue;
    if (rule.content === undefined) return { rule: rule.id, reason: rule.reason };
    const text = peek();
    if (text === null || rule.content.test(text)) return { rule: rule.id, reason: rule.reason };
  }
  return null;
}

/** Every rule in one: most names of a project are in none. */
const ANY_RULE = new RegExp(SECRET_RULES.map((rule) => rule.path.source).join('|'), 'i');

/** True where some rule looks at files of this name. */
export function hasSecretName(path: BytePath): boolean {
  return ANY_RULE.test(path);
}
