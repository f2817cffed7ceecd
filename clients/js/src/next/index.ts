export { createSocket, type SessionWithToken, type SocketOptions } from "./create-socket.js";
export type { TokenClaims } from "./mint.js";
export { routeToken } from "./route-token.js";
export { type AuthSession, tokenRoute, type TokenRouteOptions } from "./token-route.js";
