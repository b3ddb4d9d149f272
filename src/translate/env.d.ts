// The few globals that every JavaScript host has and the es2023 library does not declare.
// Nothing else from a host may be used in this folder: no clock, no randomness, no input or output.

declare class TextEncoder {
  encode(text?: string): Uint8Array
  encodeInto(text: string, into: Uint8Array): { read: number; written: number }
}

declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean })
  decode(bytes?: Uint8Array, options?: { stream?: boolean }): string
}

declare function atob(base64: string): string
declare function btoa(binary: string): string
