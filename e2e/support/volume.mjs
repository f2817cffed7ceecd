// A small file system of a test's own, to be filled.

import { execFile, spawnSync } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Whoever runs this may mount in a namespace of their own: root, and on most systems everybody. */
const NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount"];

/** Whether there can be volumes here. */
export function canMount() {
  const [program, ...args] = NAMESPACE;
  return spawnSync(program, [...args, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]).status === 0;
}

/** The command line that runs `command` where `directory` is a volume of so many bytes, after `prepare`. */
export function onVolume(command, directory, bytes, prepare = "true") {
  const script = `mount -t tmpfs -o size=${bytes},mode=700 tmpfs ${directory} && ${prepare} && exec "$0" "$@"`;
  return [...NAMESPACE, "sh", "-c", script, ...command];
}

/** The volume at `directory` as the process with this id sees it. */
export class Volume {
  constructor(pid, directory) {
    this.inside = path.join(`/proc/${pid}/root`, directory);
    this.ballast = path.join(this.inside, "ballast");
  }

  /** Takes all the space there is. */
  async fill() {
    const full = await writeFile(this.ballast, Buffer.alloc(64 * 1024 * 1024)).catch((error) => error);
    if (full?.code !== "ENOSPC") throw new Error(`the volume took it all: ${full}`);
  }

  async free() {
    await rm(this.ballast);
  }
}

/** Whether the process may write to files from now on; else every write fails, as on a disk that has failed. */
export async function letWrite(pid, isAllowed) {
  await run("prlimit", ["--pid", String(pid), `--fsize=${isAllowed ? "unlimited" : "0"}:unlimited`]);
}
