// tidy: long because it is a table
// The 47 gaps of the reference's configuration and command line, and the 110 points of its checklist, each with what shows
// that we are right there. Owns the count; `gaps.test.ts` looks everything up that is named.

export type Shown =
  /** A test, by its file under `test/` and its name. */
  | { readonly kind: 'test'; readonly file: string; readonly name: string }
  /** A file below `test/fixtures/config`, and what is expected of it beside it. */
  | { readonly kind: 'fixture'; readonly name: string; readonly says: string }
  /** Output of the command line below `test/cli/golden`. */
  | { readonly kind: 'golden'; readonly name: string; readonly says: string }
  /** Nothing shows it, and why. */
  | { readonly kind: 'not built'; readonly why: string }

const test = (file: string, name: string): Shown => ({ kind: 'test', file, name })
const fixture = (name: string, says = ''): Shown => ({ kind: 'fixture', name, says })
const error = (name: string): Shown => ({ kind: 'fixture', name: `errors/${name}`, says: name.slice(0, 3) })
const golden = (name: string, says: string): Shown => ({ kind: 'golden', name, says })
const unbuilt = (why: string): Shown => ({ kind: 'not built', why })

const LOAD = 'common/config-load.test.ts'
const VALUES = 'common/config-values.test.ts'
const LATE = 'config/late-failures.test.ts'
const MIGRATIONS = 'config/migrations.test.ts'
const SCHEMA = 'config/schema.test.ts'
const SHIPPED = 'config/shipped.test.ts'
const CHECKLIST = 'config/checklist.test.ts'
const FIXTURES = 'config/fixtures.test.ts'
const COMMANDS = 'cli/commands.test.ts'
const RUNNING = 'cli/running.test.ts'
const REFERENCE = 'cli/reference.test.ts'
const DOCS = 'cli/docs.test.ts'
const PROCESS = 'shards/process.test.ts'
const RELOAD = 'shards/reload-process.test.ts'
const MODELS = 'routing/models.test.ts'
const MATRIX = 'providers/matrix.test.ts'
const CREDENTIALS = 'providers/credentials.test.ts'
const ADMIN = 'admin/server.test.ts'
const FAILOVER = 'gateway/failover.test.ts'
const CONFORMANCE = 'conformance/gateway.test.ts'

const NO_AGENTS = unbuilt(
  'agents, filters and functions are read, checked and kept in the plan; none runs yet',
)
const NO_ROUTING = unbuilt(
  'preferences and sessions are read, checked and kept in the plan; nothing chooses by them yet',
)
const NO_TRACES = unbuilt('traces come with a later version; `trace` and `obs` say so and end with 2')
const NO_STATE = unbuilt('state of conversations is read, checked and kept in the plan; nothing keeps it yet')
const NO_LIMITS = unbuilt('limits are read, checked and kept in the plan; nothing obeys them yet')

const MISSING_FILE = test(LOAD, 'a named file that does not exist is an error with the names nearby')
const STREAM_ENDS = test(
  PROCESS,
  'lets a running stream finish, while nobody new is let in and readiness says why',
)

export const GAPS: Readonly<Record<string, Shown>> = {
  G01: test(
    'cli/packed.test.ts',
    'the packed package installs into an empty folder, starts without a file, answers and stops',
  ),
  G02: MISSING_FILE,
  G03: golden('doctor.pipe', 'a key in the file'),
  G04: test(VALUES, 'does not hide the real environment'),
  G05: test(LATE, 'two ports on one host are two upstreams'),
  G06: fixture('errors/all-at-once', 'did you mean'),
  G07: test(DOCS, 'the document shows the help of every command as it is'),
  G08: test(PROCESS, 'with a wrong configuration: exit code 1'),
  G09: test('shards/reload-load.test.ts', 'a hundred reloads under load fail, mix and cut nothing'),
  G10: STREAM_ENDS,
  G11: test(ADMIN, 'readiness and liveness are told apart, with reasons'),
  G12: unbuilt(
    'Windows is served by the node acceptor alone and was never tried: no such machine is at hand',
  ),
  G13: test(MODELS, 'serves the default when no model is asked for'),
  G14: test(CONFORMANCE, 'of the gateway itself is JSON in its client`s dialect'),
  G15: test(FAILOVER, 'repeats at the same provider, obeying retry-after-ms'),
  G16: test('gateway/waits.test.ts', 'are those of streams: a whole reply takes as long as it takes'),
  G17: fixture('prompt-guards', ': W18 '),
  G18: test(LATE, 'a slip inside overrides is a warning with the nearest name'),
  G19: test(LATE, 'a rate limit on a full name counts for the entry'),
  G20: test(MIGRATIONS, 'M9: internal models join only where the file asks for the hosted ones'),
  G21: test(LOAD, 'an admin listener that others can reach needs a token'),
  G22: test(RUNNING, 'its files are the owner’s alone, and hold no key'),
  G23: test(VALUES, 'cannot change the shape of the file'),
  G24: test('cli/parts.test.ts', '$id is served as it stands, without a warning'),
  G25: test(DOCS, 'the document shows the help of every command as it is'),
  G26: NO_TRACES,
  G27: NO_TRACES,
  G28: unbuilt(
    'there is no page for people on the admin port yet; /metrics, /config and `status` tell the same',
  ),
  G29: test('gateway/configured-prices.test.ts', 'the price of an entry wins over the catalogue'),
  G30: NO_TRACES,
  G31: test(COMMANDS, 'migrate writes what it showed, keeps comments, and then has nothing to do'),
  G32: test(MATRIX, 'docs/providers.md is what the code does'),
  G33: test(PROCESS, 'it says what it serves, and its curl line works when pasted'),
  G34: test(
    'shards/supervisor.test.ts',
    'is started anew, counted by reason and logged, and its neighbour notices nothing',
  ),
  G35: test('telemetry/prometheus.test.ts', 'tells of the process'),
  G36: error('E17'),
  G37: test(MODELS, 'a bare id of two entries means neither, and the answer names both'),
  G38: error('E25'),
  G39: fixture('three-listeners', 'agent travel booking 127.0.0.1:8001'),
  G40: unbuilt(
    'no price list is fetched yet: prices are those of the catalogue, with source and day, or of the file',
  ),
  G41: test(RUNNING, 'test calls a model through it, plain and streamed'),
  G42: golden('running-up.pipe', 'ready in <n> ms'),
  G43: test('telemetry/log.test.ts', 'is one JSON object whatever the values hold'),
  G44: unbuilt(
    'it is about how the reference is tested; here every suite runs without keys and a failure is one',
  ),
  G45: test(PROCESS, 'with a certificate it serves TLS on its listener'),
  G46: unbuilt('redis is read and checked; nothing connects to it yet but `doctor`'),
  G47: test('gateway/forward-paths.test.ts', 'has $suffix found by its path'),
}

export const CHECKS: Readonly<Record<number, Shown>> = {
  1: golden('version.pipe', '--- exit 0'),
  2: golden('unknown-command.pipe', '--- exit 2'),
  3: test(LOAD, 'config.yaml comes before plano_config.yaml'),
  4: test(LOAD, 'without any key the demo is wanted and becomes the default'),
  5: test(LOAD, 'SLUICE_PORT moves the listener, and a wrong one is said'),
  6: MISSING_FILE,
  7: fixture('errors/E01-types', 'found'),
  8: error('E01-unknown-top-key'),
  9: error('E01-empty'),
  10: error('E01-version-v020'),
  11: error('E01-version-number'),
  12: error('E01-version-future'),
  13: fixture('listeners-empty', '12000'),
  14: fixture('legacy-egress', 'model egress_traffic'),
  15: fixture('legacy-both', 'prompt ingress_traffic'),
  16: error('E24'),
  17: error('E23'),
  18: fixture('agent-only', ':12000'),
  19: test(LATE, 'a listener without a port has the default of its type'),
  20: error('E10'),
  21: error('E13'),
  22: fixture('slashes-in-ids', 'gpt-oss-20b'),
  23: fixture('same-id-two-vendors', ': W07 '),
  24: error('E16'),
  25: error('E17'),
  26: error('E15'),
  27: test(MATRIX, 'a base URL with a path replaces the usual root, with any number of slashes at its end'),
  28: error('E19'),
  29: test(LATE, 'two ports on one host are two upstreams'),
  30: test(MODELS, 'lists entries by name and known models of wildcards under their vendor only'),
  31: error('E14'),
  32: test(MODELS, 'an entry wins over the wildcard of its vendor and is listed once'),
  33: fixture('wildcard-and-entry', 'http://127.0.0.1:9000'),
  34: test(MODELS, 'finds %s'),
  35: error('E30'),
  36: test(MODELS, 'finds %s'),
  37: test(MODELS, 'serves the default when no model is asked for'),
  38: test('gateway/bad-input.test.ts', 'a model that does not exist, naming those that do'),
  39: test(MODELS, 'an internal entry is neither listed nor found'),
  40: test(CREDENTIALS, 'in %s'),
  41: test(CREDENTIALS, 'never goes upstream in place of a key: %s'),
  42: test(CREDENTIALS, 'in %s'),
  43: fixture('passthrough', ': W09 '),
  44: fixture('no-credential', ': W10 '),
  45: test(CREDENTIALS, 'configured fields come last and replace, whatever the credential said'),
  46: test(CREDENTIALS, 'the Host field is the configured one'),
  47: test(VALUES, '%s with %j is %j'),
  48: error('E80'),
  49: test(VALUES, 'fills holes; the process wins'),
  50: fixture('inline-preferences', 'M3'),
  51: fixture('inline-preferences-today', ': W05 '),
  52: fixture('inline-and-top-preferences', 'routes'),
  53: error('E31'),
  54: error('E63'),
  55: error('E64'),
  56: error('E65'),
  57: fixture('errors/E01-bounds', 'must be at most 10000; found number 20000'),
  58: fixture('errors/E01-bounds', 'must be at most 100; found number 101'),
  59: error('E20'),
  60: error('E25'),
  61: test(LATE, '%s is refused'),
  62: fixture('filter-chain', ': W03 '),
  63: NO_AGENTS,
  64: NO_AGENTS,
  65: NO_AGENTS,
  66: NO_AGENTS,
  67: NO_AGENTS,
  68: error('E21'),
  69: NO_AGENTS,
  70: NO_AGENTS,
  71: error('E51'),
  72: NO_TRACES,
  73: NO_TRACES,
  74: error('E68'),
  75: NO_STATE,
  76: NO_LIMITS,
  77: test(CHECKLIST, '/healthz is that path and no other'),
  78: test(VALUES, 'that are not set are all named with their paths, and nothing else is done'),
  79: test(RUNNING, 'restart replaces it'),
  80: golden('down-none.pipe', '--- exit 0'),
  81: golden('logs-none.pipe', '--- exit 1'),
  82: test(REFERENCE, 'the templates of the reference are there by their ids'),
  83: golden('init-both.pipe', '--- exit 2'),
  84: test('cli/parts.test.ts', '$id is served as it stands, without a warning'),
  85: golden('init-nobody.pipe', '--- exit 1'),
  86: test(RUNNING, 'cli-agent starts the agent with the environment that leads here'),
  87: golden('cli-agent-none.pipe', '--- exit 1'),
  88: NO_TRACES,
  89: NO_TRACES,
  90: NO_TRACES,
  91: NO_TRACES,
  92: NO_TRACES,
  93: NO_TRACES,
  94: test('routing/cost.test.ts', 'bills cached parts once, at their own prices'),
  95: test('routing/catalogue.test.ts', '%s is found as %s'),
  96: NO_TRACES,
  97: NO_TRACES,
  98: golden('chatgpt-logout.pipe', '--- exit 0'),
  99: unbuilt(
    'families of the reference`s controller name things that are not built; ours are in docs and on /metrics',
  ),
  100: NO_ROUTING,
  101: NO_ROUTING,
  102: NO_ROUTING,
  103: test(FAILOVER, 'repeats at the same provider, obeying retry-after-ms'),
  104: test(CONFORMANCE, 'of an error has the form of its client`s dialect'),
  105: test(CHECKLIST, 'the variable of the reference`s container names the file'),
  106: test(PROCESS, 'with a wrong configuration: exit code 1'),
  107: STREAM_ENDS,
  108: test(
    RELOAD,
    'a file that changes is used; one that is wrong is not, which readiness tells and the log',
  ),
  109: fixture('targets-without-listener', ':10000'),
  110: NO_ROUTING,
}

/** What the issue of old files asks for beside: tables that are complete by a test of their own. */
export const TABLES: readonly Shown[] = [
  test(SCHEMA, 'every key of the language has a row'),
  test('config/errors.test.ts', 'every code of the catalogue has a file'),
  test('config/codes.test.ts', 'every warning is shown by a file'),
  test(MIGRATIONS, 'before and after give one plan'),
  test(LATE, '%s is refused'),
  test(FIXTURES, 'there are at least forty files'),
  test(SHIPPED, 'names every key, in use or as a comment'),
]
