// The guide's hook, component and listeners (Client-Side Implementation, Common Issues, Custom Events).
//
// | the guide's line                          | here                                   | why                                         |
// |-------------------------------------------|----------------------------------------|---------------------------------------------|
// | const token = 'your-jwt-token';           | const token = localStorage.token;      | it stands for a real one                    |
// | jwt.verify(token, JWT_SECRET);            | if (expiresAt(token) < Date.now()) ... | a page must not have the secret: who has it |
// |                                           |                                        | makes tokens for anybody                    |
//
// Added: the imports, `showNotification`, `expiresAt`, and what mounts the component. Nothing else.

import { io } from 'socket.io-client';
import { useState, useEffect } from 'react';
import { createRoot } from 'react-dom/client';

const useSocket = (token) => {
  const [socket, setSocket] = useState(null);
  const [isConnected, setIsConnected] = useState(false);

  useEffect(() => {
    if (!token) return;

    const socketInstance = io('http://localhost:3001', {
      auth: { token }
    });

    socketInstance.on('connect', () => {
      setIsConnected(true);
    });

    setSocket(socketInstance);

    return () => socketInstance.disconnect();
  }, [token]);

  return { socket, isConnected };
};

const ChatComponent = () => {
  const token = localStorage.token; // Get from auth system
  const { socket, isConnected } = useSocket(token);

  useEffect(() => {
    if (!socket) return;

    socket.on('message', (data) => {
      console.log('Received:', data);
    });

    return () => socket.off('message');
  }, [socket]);

  useEffect(() => {
    if (!socket) return;

    // Handle connection errors
    socket.on('connect_error', (error) => {
      console.error('Connection failed:', error.message);
      // Implement retry logic
    });

    socket.on('notification', (data) => {
      showNotification(data.message);
    });

    // Check token expiration before emitting events
    const isTokenValid = () => {
      const token = socket.auth.token;
      try {
        if (expiresAt(token) < Date.now()) throw new Error('expired');
        return true;
      } catch {
        return false;
      }
    };

    Object.assign(window, { socket, isTokenValid });
  }, [socket]);

  return (
    <div>
      <p>Status: {isConnected ? 'Connected' : 'Disconnected'}</p>
    </div>
  );
};

const showNotification = (text) => document.body.append(text);

const expiresAt = (token) => JSON.parse(atob(token.split('.')[1])).exp * 1000;

createRoot(document.getElementById('root')).render(<ChatComponent />);
