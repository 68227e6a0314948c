// Numbers in words, as the server's pages write them. Pure. The blanks inside are no-break spaces.

const UNITS = ["KB", "MB", "GB", "TB"];

/** 1536 -> 1.5 KB, in steps of 1,000. */
export function bytesInWords(bytes) {
  if (bytes < 1000) return `${Math.round(bytes)}\u00a0B`;
  let value = bytes;
  let unit = -1;
  do {
    value /= 1000;
    unit += 1;
  } while (value >= 999.5 && unit < UNITS.length - 1);
  return `${value >= 100 ? Math.round(value) : value.toFixed(1)}\u00a0${UNITS[unit]}`;
}

/** Rounded down, so that nothing is said to be whole before it is. */
export function percent(share) {
  return `${Math.floor(share * 100)}\u00a0%`;
}

export function timeInWords(seconds) {
  if (seconds < 60) return `${Math.max(1, Math.ceil(seconds))}\u00a0s`;
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 60) return `${minutes}\u00a0min`;
  return `${Math.floor(minutes / 60)}\u00a0h ${minutes % 60}\u00a0min`;
}

/** "84.0 MB/s, 9 s left", or "" while there is too little to say. */
export function paceInWords(meter, left, now) {
  const rate = meter.rate(now);
  if (!rate) return "";
  return `${bytesInWords(rate)}/s, ${timeInWords(left / rate)} left`;
}
