// Ties a media stream to its element. Never remakes the element.
import type { Attachment } from "svelte/attachments";

export function shows(stream: MediaStream | null): Attachment<HTMLVideoElement> {
  return (element) => {
    element.srcObject = stream;
    if (stream) void element.play().catch(() => undefined);
    return () => {
      element.srcObject = null;
    };
  };
}
