/** A user as others see them. */
export interface User {
  readonly id: string;
  readonly username?: string | null;
}

/** The user who is signed in. */
export interface Account extends User {
  readonly email?: string | null;
}

/** What to call a user: the user name, or else the id. */
export function displayName(user: User): string {
  return user.username || user.id;
}
