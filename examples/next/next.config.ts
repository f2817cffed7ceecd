import type { NextConfig } from "next";

const config: NextConfig = {
  reactStrictMode: true,
  // The lockfile of this folder counts, whatever is around it.
  turbopack: { root: import.meta.dirname },
};

export default config;
