/**
 * Files that run code on this machine the next time it is used: by a package manager, a build, an editor, a
 * shell that enters the directory, git, an agent, or continuous integration. The list is for people to look at
 * before they do; nothing is decided by it.
 */

export type ReviewKind =
  | 'package'
  | 'build'
  | 'ci'
  | 'editor'
  | 'environment'
  | 'git'
  | 'container'
  | 'agent'
  | 'tool_config'
  | 'executable'
  | 'symlink'
  | 'wreckit';

export interface ReviewRule {
  readonly kind: ReviewKind;
  readonly path: RegExp;
  /** What runs it, after the file's name. */
  readonly reason: string;
}

function rule(kind: ReviewKind, path: RegExp, reason: string): ReviewRule {
  return { kind, path, reason };
}

/** The first that matches counts. `package.json` is looked into (review.ts). */
export const REVIEW_RULES: readonly ReviewRule[] = [
  rule(
    'wreckit',
    /(^|\/)(\.wreckitrc|\.wreckit(\/config[^/]*\.json)?)$/i,
    'says how wreckit runs agents here',
  ),
  rule('git', /(^|\/)\.gitattributes$/i, 'names filters and diff programs for git'),
  rule('git', /(^|\/)\.gitmodules$/i, 'says where git fetches submodules from'),
  rule('git', /(^|\/)(\.husky|\.githooks|git-?hooks|hooks)\//i, 'is in a directory of hooks'),
  rule(
    'git',
    /(^|\/)(lefthook[^/]*\.ya?ml|\.pre-commit-(config|hooks)\.ya?ml|\.overcommit\.yml)$/i,
    'declares git hooks',
  ),
  rule(
    'git',
    /(^|\/)(\.lintstagedrc[^/]*|lint-staged\.config\.[a-z]+|\.huskyrc[^/]*)$/i,
    'runs when something is committed',
  ),
  rule('ci', /(^|\/)\.(github|gitea|forgejo)\/(workflows|actions)\//i, 'is run by continuous integration'),
  rule(
    'ci',
    /(^|\/)(\.gitlab-ci\.ya?ml|\.travis\.yml|azure-pipelines[^/]*\.ya?ml|bitbucket-pipelines\.yml|appveyor\.yml|\.drone\.ya?ml|\.cirrus\.yml|jenkinsfile[^/]*|cloudbuild\.ya?ml)$/i,
    'is run by continuous integration',
  ),
  rule(
    'ci',
    /(^|\/)\.(circleci|buildkite|woodpecker|gitlab|teamcity|ci)(\/|\.ya?ml$)/i,
    'is run by continuous integration',
  ),
  rule(
    'ci',
    /(^|\/)(renovate\.json5?|\.renovaterc[^/]*|\.github\/dependabot\.ya?ml)$/i,
    'steers a bot that changes dependencies',
  ),
  rule(
    'editor',
    /(^|\/)\.vscode\/[^/]+$|\.code-workspace$/i,
    'is read by VS Code: tasks, launchers and programs to start',
  ),
  rule(
    'editor',
    /(^|\/)(\.idea|\.fleet|\.zed)\//i,
    'is read by an editor: run configurations and programs to start',
  ),
  rule(
    'editor',
    /(^|\/)(\.n?vim\.lua|\.nvimrc|\.exrc|\.vimrc|\.dir-locals\.el|\.lvimrc|\.sublime-project)$/i,
    'is run by an editor',
  ),
  rule(
    'environment',
    /(^|\/)(\.envrc|\.env[^/]*|\.autoenv[^/]*)$/i,
    'is loaded by a shell that enters the directory',
  ),
  rule(
    'environment',
    /(^|\/)(\.?mise[^/]*\.toml|\.tool-versions|\.nvmrc|\.node-version|\.python-version|\.ruby-version|\.sdkmanrc|rust-toolchain(\.toml)?)$/i,
    'says which programs are installed and used',
  ),
  rule(
    'environment',
    /(^|\/)(flake\.nix|shell\.nix|default\.nix|devbox\.json|devenv\.nix|\.bashrc|\.bash_profile|\.zshrc|\.profile)$/i,
    'is run by a shell',
  ),
  rule('container', /(^|\/)\.devcontainer(\/|\.json$)/i, 'is run when a development container starts'),
  rule(
    'container',
    /(^|\/)((docker|container)file[^/]*|[^/]*\.dockerfile|(docker-)?compose[^/]*\.ya?ml|vagrantfile)$/i,
    'is run when a container or machine is built',
  ),
  rule(
    'agent',
    /(^|\/)\.(claude|codex|opencode|amp|cursor|gemini|aider|continue|windsurf|roo|kilocode)(\/|[^/]*\.(json|ya?ml|toml)$)/i,
    'configures an agent: hooks, permissions, servers',
  ),
  rule(
    'agent',
    /(^|\/)(\.mcp\.json|mcp\.json|opencode\.jsonc?|\.cursorrules|\.aider\.conf\.yml|claude(\.local)?\.md|agents\.md|gemini\.md|copilot-instructions\.md)$/i,
    'instructs agents, or starts servers for them',
  ),
  rule(
    'package',
    /(^|\/)(\.npmrc|\.yarnrc(\.yml)?|\.pnpmfile\.c?js|pnpm-workspace\.yaml|bunfig\.toml|\.bunfig\.toml|lerna\.json)$/i,
    'steers a package manager',
  ),
  rule('package', /(^|\/)\.yarn\/(releases|plugins)\//i, 'is run by yarn'),
  rule(
    'package',
    /(^|\/)(package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lockb?|cargo\.lock|poetry\.lock|uv\.lock|pipfile\.lock|gemfile\.lock|composer\.lock|go\.sum)$/i,
    'says which packages are installed, and their install scripts run',
  ),
  rule(
    'package',
    /(^|\/)(requirements[^/]*\.(txt|in)|constraints[^/]*\.txt|pipfile|environment\.ya?ml|go\.mod|composer\.json|gemfile|[^/]*\.gemspec|deno\.jsonc?|mix\.exs|package\.swift|podfile|pubspec\.yaml)$/i,
    'declares packages and scripts',
  ),
  rule(
    'build',
    /(^|\/)((gnu)?makefile[^/]*|[^/]*\.(mk|mak)|\.?justfile|taskfile[^/]*\.ya?ml|rakefile|snakefile|build\.(sh|zig|ninja|xml|sbt)|sconstruct|meson\.build|cmakelists\.txt|[^/]*\.cmake|configure(\.ac)?|magefile\.go|earthfile|tiltfile|procfile[^/]*|workspace(\.bazel)?|build(\.bazel)?|[^/]*\.bzl|\.bazelrc)$/i,
    'is run by a build',
  ),
  rule(
    'build',
    /(^|\/)(pom\.xml|[^/]*\.gradle(\.kts)?|gradle\.properties|gradlew(\.bat)?|mvnw(\.cmd)?|[^/]*\.(cs|fs|vb|vcx)proj|[^/]*\.(props|targets)|nuget\.config)$/i,
    'is run by a build',
  ),
  rule('build', /(^|\/)(\.mvn|gradle\/wrapper)\//i, 'is run by a build'),
  rule('build', /(^|\/)(build\.rs|cargo\.toml|\.cargo\/config(\.toml)?)$/i, 'is run by cargo'),
  rule(
    'build',
    /(^|\/)(setup\.(py|cfg)|pyproject\.toml|conftest\.py|tox\.ini|noxfile\.py|pytest\.ini|sitecustomize\.py|usercustomize\.py|fabfile\.py|manage\.py|[^/]*\.pth)$/i,
    'is run by Python tools',
  ),
  rule(
    'tool_config',
    /(^|\/)([^/]+\.config|gulpfile|gruntfile|\.[a-z-]+rc)(\.[a-z]+)?\.[cm]?[jt]sx?$/i,
    'is run by the tool it configures',
  ),
  rule(
    'tool_config',
    /(^|\/)(\.babelrc|\.swcrc|\.mocharc[^/]*|\.eslintrc[^/]*|\.prettierrc[^/]*|\.stylelintrc[^/]*|jest\.config\.json|tsconfig[^/]*\.json|turbo\.json|nx\.json|project\.json|biome\.jsonc?|\.swiftlint\.yml|\.rubocop\.yml|phpunit\.xml(\.dist)?)$/i,
    'names plugins that a tool loads',
  ),
];
