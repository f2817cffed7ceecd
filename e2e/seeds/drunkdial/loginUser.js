// The login of "Client-Side Integration".
//
// | the document's line | here | why |
// |---------------------|------|-----|
// | all of them         | the same | the page, the accounts and the sockets are at http://localhost, as behind one proxy |
//
// Added: the import, what keeps the refresh token (the document wants refreshing, and has no line for it), and the return.

import { DrunkDialClient } from "./DrunkDialClient.js";

// Example of getting and using the token
export async function loginUser(email, password) {
  const response = await fetch("/api/auth/login", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ email, password }),
  });

  const data = await response.json();

  if (data.token) {
    // Save the JWT token
    localStorage.setItem("authToken", data.token);
    localStorage.setItem("refreshToken", data.refreshToken);

    // Use the same token for WebSocket connection
    const socketClient = new DrunkDialClient("http://localhost", data.token);
    socketClient.connect();
    return socketClient;
  }
}
