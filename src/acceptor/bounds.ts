// The bounds of an acceptor that nobody configures, each with the reason for its value. The configurable
// ones are in `ServerPlan`.

/** Clients of model APIs send fewer than 30 fields; the native server stops at 49 by itself. */
export const HEADER_FIELDS_MAX = 100

/** Bodies up to this announced length get their memory at the first byte; longer ones only once this much arrived. */
export const PREALLOCATE_BYTES_MAX = 256 * 1024

/** An unread rest of a body up to this length is read and dropped so that the connection can be kept. */
export const DROP_BYTES_MAX = 64 * 1024

/**
 * How long a connection that is to be closed still reads: closing it with unread bytes resets it, and the reset
 * may overtake the reply. Long enough for a client that is sending to look up.
 */
export const LINGER_MS_MAX = 2_000

/**
 * A client that takes no byte for this long has left without saying so. The kernel holds up to some megabytes
 * for a client, so even one that reads 10 KB/s shows nothing for minutes.
 */
export const STALL_MS_MAX = 300_000

/** Longest pause between two looks at everything that waits. */
export const SWEEP_MS_MAX = 500

/** Shortest such pause, for tests with short bounds. */
export const SWEEP_MS_MIN = 10

/** Requests of one connection that may wait while an earlier one is answered; browsers and SDKs send none. */
export const PIPELINE_MAX = 16

/** The buffer in which the native server gathers what is written together; what fits leaves in one write. */
export const NATIVE_GATHER_BYTES = 16 * 1024

/** Room in it for what the native server adds: date, length or encoding, and the size line of a chunk. */
export const NATIVE_FRAMING_BYTES_MAX = 256

/** Piece size of replies of known length without TLS: what one read of an upstream socket can bring. */
export const NATIVE_PIECE_BYTES = 64 * 1024

/**
 * The same with TLS: one record. The native server waits for ever after it took one record of a longer piece and
 * the client's socket was full.
 */
export const NATIVE_TLS_PIECE_BYTES = 16 * 1024

/** The native server closes what is silent for 10 s; this often its clock is set back where ours decides. */
export const NATIVE_REARM_MS = 3_000
