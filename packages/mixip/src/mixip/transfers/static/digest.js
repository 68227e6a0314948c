// Content-Digest (RFC 9530) of bytes, by the browser's own SHA-256, which runs outside the page's thread.

/** `sha-256=:BASE64:` of a Blob, which is in memory meanwhile. Throws NotReadableError when its file has changed. */
export async function contentDigest(blob) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()));
  return `sha-256=:${btoa(String.fromCharCode(...digest))}:`;
}

/**
 * A segment as a part of the file, still on the disk. It is sent as it is: the browser then reads it where it sends,
 * which is many times faster than handing it bytes of the page's memory.
 */
export function cut(file, { offset, length }) {
  return file.slice(offset, offset + length);
}

/** Throws NotReadableError or NotFoundError when the file changed or went away since it was chosen. */
export async function stillThere(file) {
  await file.slice(0, 1).arrayBuffer();
}
