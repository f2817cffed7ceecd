// "Message Events".
//
// | the document's line              | here               | why                                                        |
// |----------------------------------|--------------------|------------------------------------------------------------|
// | { content: string, ... }         | { content, ... }   | a type stands there in the place of a value                |
//
// Added: the functions around the lines, and the types of what comes. Not in the document: `message.status` and `typing.update`, by
// which the server sends the two shapes that it shows; and the retry of "Implement retry logic for failed operations", for which
// a message needs a name of its own (`clientId`).

import type { Socket } from 'socket.io-client';

import type { DeliveryStatus, Message, SocketResponse, TypingIndicator } from './shapes';

export interface Listeners {
  created(message: Message): void;
  updated(message: Message): void;
  deleted(messageId: string): void;
  status(status: DeliveryStatus): void;
  typing(indicator: TypingIndicator): void;
}

export function listen(socket: Socket, listeners: Listeners) {
  socket.on('message.created', (message) => { /* New message */ listeners.created(message); });
  socket.on('message.updated', (message) => { /* Updated message */ listeners.updated(message); });
  socket.on('message.deleted', ({ messageId }) => { /* Deleted message */ listeners.deleted(messageId); });
  socket.on('message.status', (status) => listeners.status(status));
  socket.on('typing.update', (indicator) => listeners.typing(indicator));
}

export function chat(socket: Socket, channelId: string) {
  return {
    // Sending/Receiving Messages
    send(content: string) {
      socket.emit('sendMessage', { content, channelId });
    },
    update(messageId: string, content: string) {
      socket.emit('updateMessage', { messageId, content });
    },
    remove(messageId: string) {
      socket.emit('deleteMessage', { messageId });
    },

    // Delivery Status
    delivered(messageId: string) {
      socket.emit('message:delivered', { messageId });
    },
    seen(messageId: string) {
      socket.emit('message:seen', { messageId });
    },
    status(messageId: string, done: (response: SocketResponse<{ status: string; statuses: DeliveryStatus[] }>) => void) {
      socket.emit('message:getStatus', { messageId }, (response: SocketResponse<{ status: string; statuses: DeliveryStatus[] }>) => {
        // Get message delivery status
        done(response);
      });
    },

    // Typing Indicators
    typing() {
      socket.emit('typing', { channelId });
    },
    stopTyping() {
      socket.emit('typing:stop', { channelId });
    },
    whoTypes(done: (response: SocketResponse<{ typing: TypingIndicator[] }>) => void) {
      socket.emit('typing:get', { channelId }, (response: SocketResponse<{ typing: TypingIndicator[] }>) => {
        // Get currently typing users
        done(response);
      });
    },

    // Offline Messages
    offlineCount(done: (response: SocketResponse<{ total: number }>) => void) {
      socket.emit('message:getOfflineCount', (response: SocketResponse<{ total: number }>) => {
        // Get count of missed messages
        done(response);
      });
    },

    /** "Handle message failures with retry logic", "Handle rate limiting gracefully". */
    async sendSafely(content: string, clientId: string): Promise<Message> {
      const response = await socket.emitWithAck('sendMessage', { content, channelId, clientId });
      if (response.data) return response.data;
      if (response.retry !== 'after') throw new Error(response.error);
      await new Promise((resolve) => setTimeout(resolve, response.retryAfterMs));
      return this.sendSafely(content, clientId);
    },
  };
}
