import NextAuth from "next-auth";
import Credentials from "next-auth/providers/credentials";

/** In the place of your users. In a database, keep a hash of each password. */
const USERS = [
  { id: "1", name: "ada", password: "analytical" },
  { id: "2", name: "bob", password: "builder" },
];

export const { auth, handlers, signIn, signOut } = NextAuth({
  providers: [
    Credentials({
      credentials: { name: {}, password: { type: "password" } },
      authorize({ name, password }) {
        const user = USERS.find((one) => one.name === name && one.password === password);
        return user === undefined ? null : { id: user.id, name: user.name };
      },
    }),
  ],
  callbacks: {
    // Roomkey wants to know who it is, and by default a session has a name only.
    session({ session, token }) {
      if (token.sub !== undefined) session.user.id = token.sub;
      return session;
    },
  },
});
