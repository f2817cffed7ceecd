// A page of the application, with Next-Auth's own provider.

import { useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { SessionProvider } from 'next-auth/react';

import { useWebSocket } from './hooks/useWebSocket';

function Chat() {
  const { socket, isConnected, error } = useWebSocket();
  const [messages, setMessages] = useState([]);

  useEffect(() => {
    window.socket = socket;
    if (!socket) return;
    const listener = (message) => setMessages((before) => [...before, message]);
    socket.on('message.created', listener);
    return () => socket.off('message.created', listener);
  }, [socket]);

  return (
    <div>
      <p>Status: {isConnected ? 'connected' : 'not connected'}</p>
      <p>Error: {error ?? 'none'}</p>
      <ol>
        {messages.map(({ id, user, content }) => (
          <li key={id}>
            {user.username}: {content}
          </li>
        ))}
      </ol>
    </div>
  );
}

createRoot(document.getElementById('root')).render(
  <SessionProvider>
    <Chat />
  </SessionProvider>,
);
