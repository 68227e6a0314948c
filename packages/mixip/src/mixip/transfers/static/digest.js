// Content-Digest (RFC 9530) of bytes, by the browser's own SHA-256, which runs outside the page's thread.

/** `sha-256=:BASE64:` of an ArrayBuffer. */
export async function contentDigest(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return `sha-256=:${btoa(String.fromCharCode(...digest))}:`;
}

/** The bytes of a segment. Throws NotReadableError when the file changed or went away since it was chosen. */
export function readSegment(file, { offset, length }) {
  return file.slice(offset, offset + length).arrayBuffer();
}
