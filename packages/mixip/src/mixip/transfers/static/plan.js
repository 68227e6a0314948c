// A plan is an ordered list of runs; here it becomes segments with their place in the file. Pure.

/** Segments `{index, offset, length, kind}` of a plan, which must cover exactly `size` bytes. */
export function segmentsOf(plan, size) {
  const segments = [];
  let offset = 0;
  for (const { kind, length, count } of plan) {
    for (let i = 0; i < count; i += 1) {
      segments.push({ index: segments.length, offset, length, kind });
      offset += length;
    }
  }
  if (offset !== size) throw new RangeError(`the plan covers ${offset} of ${size} bytes`);
  return segments;
}

/** Bytes in the segments whose index is in `indexes`. */
export function bytesOf(segments, indexes) {
  let bytes = 0;
  for (const index of indexes) bytes += segments[index].length;
  return bytes;
}

/** The open delivery that `file` continues, among those of the work and without the ones already claimed. */
export function deliveryFor(file, deliveries, claimed) {
  const name = file.name.normalize("NFC");
  return deliveries.find((delivery) =>
    delivery.state !== "delivered" && !claimed.has(delivery.id) && delivery.size === file.size &&
    delivery.file_name.normalize("NFC") === name &&
    (delivery.last_modified === null || delivery.last_modified === file.lastModified)) ?? null;
}
