// "Connection Initialization", "Connection Setup" and "Error Handling".
//
// | the document's line                               | here            | why                                                     |
// |---------------------------------------------------|-----------------|---------------------------------------------------------|
// | socket.on('error', ...                            | 'connect_error' | that is the event of the stock client by which a server  |
// | if (error.message.includes('authentication'))     | 'Authentication' | refuses; and the capital A of the server's texts         |
//
// Added: the function around them, what it tells `report`, and "Implement proper token refresh": tokens of Clerk live for a
// minute, and a socket as long as its token, or the one that it shows when it is warned.

import { io, type Socket } from 'socket.io-client';

export type Report = (what: 'connected' | 'auth failure' | 'server disconnect' | 'connection lost', detail?: string) => void;

export async function open(BACKEND_URL: string, getToken: () => Promise<string>, report: Report): Promise<Socket> {
  // Frontend Connection Setup
  const socket = io(BACKEND_URL, {
    auth: {
      token: await getToken() // Raw Clerk JWT token (NO 'Bearer ' prefix)
    },
    transports: ['websocket'],
    autoConnect: true
  });

  // ✅ CORRECT: Proper error handling
  socket.on('connect', () => {
    if (!socket.connected) return;
    // then start using socket
    report('connected');
  });

  // 1. Authentication Errors
  socket.on('connect_error', (error) => {
    if (error.message.includes('Authentication')) {
      // Handle auth failure
      report('auth failure', error.message);
    }
  });

  // 2. Connection Errors
  socket.on('disconnect', (reason) => {
    if (reason === 'io server disconnect') {
      // Server forced disconnect
      report('server disconnect');
    } else {
      // Connection lost
      report('connection lost', reason);
    }
  });

  socket.on('auth:expiring', async () => {
    socket.auth = { token: await getToken() };
    socket.emit('auth:refresh', socket.auth);
  });

  return socket;
}
