/** Questions about single photos: a conversation for each, kept while the app is open. */
import type { PageClient } from '../client.ts';
import { Conversation } from './conversation.svelte.ts';
import type { Notices } from './notices.svelte.ts';

export class Ask {
  readonly #conversations = new Map<number, Conversation>();
  readonly #client: PageClient;
  readonly #notices: Notices;

  constructor(client: PageClient, notices: Notices) {
    this.#client = client;
    this.#notices = notices;
  }

  /** The conversation about a photo. One about another photo goes on meanwhile, and is there on coming back. */
  about(photoId: number): Conversation {
    return this.#conversations.get(photoId) ?? this.#open(photoId);
  }

  /** Asks about this photo. A model answers one question at a time, so what nobody looks at gives way. */
  async ask(conversation: Conversation, question: string, again = false): Promise<void> {
    for (const other of this.#conversations.values()) if (other !== conversation) other.stop();
    await conversation.ask(question, again);
  }

  /** Nobody is there any more to read the answers. */
  stopAll(): void {
    for (const conversation of this.#conversations.values()) conversation.stop();
  }

  #open(photoId: number): Conversation {
    const made = new Conversation(photoId, this.#client, this.#notices);
    this.#conversations.set(photoId, made);
    return made;
  }
}
