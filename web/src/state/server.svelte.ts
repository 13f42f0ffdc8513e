// What this page knows of the server as a whole: whether it turns speech into text. Asked once per
// page; it never polls, as a session's messages bring newer word.
import { serverStatus } from "../connection/api";
import type { Transcription } from "../wire/wire";

class Server {
  transcription = $state.raw<Transcription | null>(null);

  async ask(): Promise<void> {
    try {
      this.transcription = (await serverStatus()).transcription;
    } catch {
      // Unknown stays unknown: a notice would be a guess.
    }
  }
}

export const server = new Server();
