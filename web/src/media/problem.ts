// Why a microphone or a camera cannot be had, in the few kinds a person can do something about. It
// never shows anything itself.

export type DeviceProblem = "no-microphone" | "denied" | "busy" | "insecure";
export type CameraProblem = "no-camera" | "camera-denied" | "camera-busy";

/** Names of `DOMException`s as the Media Capture specification and old browsers give them. */
export function problemOf(error: unknown): DeviceProblem {
  switch (error instanceof Error || isNamed(error) ? error.name : "") {
    case "NotAllowedError":
    case "PermissionDeniedError":
    case "SecurityError":
      return "denied";
    case "NotFoundError":
    case "DevicesNotFoundError":
    case "OverconstrainedError":
      return "no-microphone";
    case "TypeError":
      return "insecure";
    default:
      return "busy";
  }
}

export function cameraProblemOf(error: unknown): CameraProblem {
  switch (problemOf(error)) {
    case "denied":
      return "camera-denied";
    case "no-microphone":
    case "insecure":
      return "no-camera";
    case "busy":
      return "camera-busy";
  }
}

function isNamed(error: unknown): error is { name: string } {
  return typeof error === "object" && error !== null && "name" in error;
}
