import { tokenRoute } from "roomkey/next";

import { auth } from "@/auth";

/** Gives whoever is signed in a token for Roomkey, good for five minutes. */
export const POST = tokenRoute({ auth, secret: process.env.ROOMKEY_SECRET ?? "" });
