import { crc32, deflateRawSync } from "node:zlib";

/** Compresses text like bgzip: blocks of `blockSize` bytes, then an empty end-of-file block. */
export function bgzip(text: Uint8Array, blockSize = 65280): Buffer {
  const blocks: Buffer[] = [];
  for (let at = 0; at < text.length; at += blockSize) blocks.push(block(text.subarray(at, at + blockSize)));
  return Buffer.concat([...blocks, block(new Uint8Array(0))]);
}

function block(text: Uint8Array): Buffer {
  const data = deflateRawSync(text);
  const bytes = Buffer.alloc(18 + data.length + 8);
  bytes.set([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, 6, 0, 66, 67, 2, 0]);
  bytes.writeUInt16LE(bytes.length - 1, 16);
  data.copy(bytes, 18);
  bytes.writeUInt32LE(crc32(text), bytes.length - 8);
  bytes.writeUInt32LE(text.length, bytes.length - 4);
  return bytes;
}
