// lib/socket.js of the plan ("Frontend Socket Creation").
//
// | the plan's line | here     | why                                                                              |
// |-----------------|----------|----------------------------------------------------------------------------------|
// | all of them     | the same | NEXT_PUBLIC_SOCKET_URL is put in by the bundler, as Next.js does it               |
//
// Added: the import.

import { io } from 'socket.io-client';

export const createSocket = (session) => {
  if (!session?.token) {
    throw new Error('No authentication token available');
  }

  const socket = io(process.env.NEXT_PUBLIC_SOCKET_URL, {
    auth: {
      token: session.token  // This is your backend JWT token
    }
  });

  return socket;
};
