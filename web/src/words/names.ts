/** What to call a user: the user name, or else the id. */
export function displayName(user: { readonly id: string; readonly username?: string | null }): string {
  return user.username || user.id;
}

/** Who is typing, in few words. */
export function typingText(names: readonly string[]): string {
  const [first, second] = names;
  if (first === undefined) return "";
  if (second === undefined) return `${first} is typing…`;
  if (names.length === 2) return `${first} and ${second} are typing…`;
  return `${first}, ${second} and ${names.length === 3 ? "one other" : `${names.length - 2} others`} are typing…`;
}

/** How many there are of something. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}
