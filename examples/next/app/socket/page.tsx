import { redirect } from "next/navigation";

import { auth } from "@/auth";

import { Log } from "./log";

/** For code that was written for the stock client: the socket, and nothing around it. */
export default async function Page() {
  if ((await auth()) === null) redirect("/");
  return <Log url={process.env.ROOMKEY_URL ?? ""} />;
}
