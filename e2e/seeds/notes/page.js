// What the notes describe and do not write: the login of "Generating JWT on User Login", as a page calls it; "Error Handling", with
// the texts that the notes give their errors; "JWT Token Expiry and Refresh".

import { connect } from './connect.js';

async function post(path, body) {
  const response = await fetch(`http://localhost:3000${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, ...(await response.json()) };
}

/** Resolves with what the user is told. */
function open(login) {
  const socket = connect(login.token);
  window.socket = socket;
  return new Promise((resolve) => {
    socket.on('connect', () => resolve('connected'));
    socket.on('connect_error', async (error) => {
      if (error.message !== 'Authentication error: Token expired') return resolve(error.message);
      // Prompt them to re-authenticate: with the refresh token, if there is one.
      const fresh = login.refreshToken && (await post('/api/auth/refresh', { refreshToken: login.refreshToken }));
      resolve(fresh?.token ? open(fresh) : error.message);
    });
  });
}

const login = (username, password) => post('/login', { username, password });

Object.assign(window, { login, open });
