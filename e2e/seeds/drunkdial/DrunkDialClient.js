// The client that the document uses and does not show, made of what it says about it ("Client-Side Implementation" and "Token
// Expiration"): the token of the login is shown in the handshake's auth object; a client whose authentication fails because
// the token has ended refreshes it and reconnects; for API requests it is the same.

import { io } from "socket.io-client";

export class DrunkDialClient {
  constructor(url, token) {
    this.url = url;
    this.token = token;
  }

  connect() {
    // Asked at each connection, so that one after a refresh shows the new token.
    this.socket = io(this.url, { auth: (send) => send({ token: this.token }) });
    this.socket.on("connect_error", async (error) => {
      if (error.data?.code === "TOKEN_EXPIRED" && (await this.refresh())) this.socket.connect();
    });
  }

  async request(path) {
    const send = () => fetch(path, { headers: { Authorization: `Bearer ${this.token}` } });
    const response = await send();
    if (response.status === 401 && (await this.refresh())) return send();
    return response;
  }

  /** Whether there is a new token. */
  async refresh() {
    const response = await fetch("/api/auth/refresh", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ refreshToken: localStorage.getItem("refreshToken") }),
    });
    if (!response.ok) return false;
    const { token, refreshToken } = await response.json();
    localStorage.setItem("authToken", token);
    localStorage.setItem("refreshToken", refreshToken);
    this.token = token;
    return true;
  }
}
