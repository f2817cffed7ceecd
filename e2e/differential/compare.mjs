// Where two lists of notes differ.

/** The notes between what is the same at the start and at the end; `undefined` if all are the same. */
export function difference(reference, roomkey) {
  let start = 0;
  while (start < reference.length && start < roomkey.length && reference[start] === roomkey[start]) start += 1;
  if (start === reference.length && start === roomkey.length) return undefined;
  let end = 0;
  const left = Math.min(reference.length, roomkey.length) - start;
  while (end < left && reference.at(-1 - end) === roomkey.at(-1 - end)) end += 1;
  const between = (notes) => notes.slice(start, notes.length - end);
  return { reference: between(reference), roomkey: between(roomkey) };
}
