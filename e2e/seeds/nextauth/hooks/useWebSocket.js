// hooks/useWebSocket.js, which the plan describes and does not write: "Manage socket lifecycle", "Handle session state", "Provide
// socket instance to components"; and of lib/socket.js: "Handle connection errors", "Add reconnection logic".
//
// The plan asks "Do we need to handle token refresh?": yes, since a socket lives as long as its token. `getSession`
// of Next-Auth fetches the session again, with a token that is still good.

import { useEffect, useState } from 'react';
import { getSession, useSession } from 'next-auth/react';

import { createSocket } from '../lib/socket';

export function useWebSocket() {
  const { data: session, status } = useSession();
  const user = status === 'authenticated' ? session.user.email : undefined;
  const [state, setState] = useState({ socket: null, isConnected: false, error: null });

  useEffect(() => {
    if (!user) return;

    let socket;
    try {
      socket = createSocket(session);
    } catch (error) {
      setState({ socket: null, isConnected: false, error: error.message });
      return;
    }
    const report = (error) => setState({ socket, isConnected: socket.connected, error });
    const renew = async () => {
      socket.auth = { token: (await getSession()).token };
    };

    socket.on('connect', () => report(null));
    socket.on('disconnect', () => report(null));
    socket.on('connect_error', async (error) => {
      report(error.message);
      if (error.data?.retry !== 'refresh') return;
      await renew();
      socket.connect();
    });
    socket.on('auth:expiring', async () => {
      await renew();
      socket.emit('auth:refresh', socket.auth);
    });
    setState({ socket, isConnected: false, error: null });

    return () => socket.disconnect();
  }, [user]);

  return state;
}
