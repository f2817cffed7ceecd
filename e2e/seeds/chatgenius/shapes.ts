// "Event Response Types".
//
// | the document's line     | here       | why                                                                   |
// |-------------------------|------------|-----------------------------------------------------------------------|
// | createdAt: Date; and    | string     | a Date that goes through JSON arrives as text, from Node's server, too |
// | updatedAt, timestamp    |            |                                                                       |
//
// Added: `User`, which the document uses and does not show; `SocketResponse` is from "Socket Types".

export interface User {
  id: string;
  username: string | null;
}

export interface Message {
  id: string;
  content: string;
  channelId: string;
  userId: string;
  createdAt: string;
  updatedAt: string;
  deliveryStatus: 'SENDING' | 'SENT' | 'DELIVERED' | 'READ' | 'FAILED';
  user: User;
}

export interface DeliveryStatus {
  messageId: string;
  recipientId: string;
  status: 'SENDING' | 'SENT' | 'DELIVERED' | 'READ' | 'FAILED';
  timestamp: string;
}

export interface TypingIndicator {
  userId: string;
  channelId: string;
  isTyping: boolean;
  timestamp: string;
}

export interface SocketResponse<T> {
  data?: T;
  error?: string;
}
