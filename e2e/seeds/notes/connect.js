// The connection of the notes ("Handling Authentication on the Client-Side").
//
// | the notes' line               | here  | why                                                                   |
// |-------------------------------|-------|-----------------------------------------------------------------------|
// | token: 'your-jwt-token-here'  | token | it stands for the token of a login, and there is a new one after each |
// |                               |       | refresh; so the lines are in a function that is called again           |
//
// Added: the import.

import { io } from 'socket.io-client';

export function connect(token) {
  const socket = io('http://localhost:3000', {
    query: {
      token
    }
  });
  return socket;
}
