/**
 * Sending a recording: one multipart request, by XMLHttpRequest because fetch does not tell how much has gone out.
 */
import { errorOf, NoAnswer } from "./api";
import type { Recording } from "./recording/types";

export interface Submission {
  recording: Recording;
  /** Made once for a recording: when an answer is lost, the repeated request gets the same answer. */
  key: string;
  /** Hash of the action that the person saw. */
  action: string | null;
}

/** A new submission key: 128 random bits. */
export function submissionKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The form of a recording, as the capture API reads it. */
export function formOf({ recording, key, action }: Submission): FormData {
  const form = new FormData();
  form.append("submission_key", key);
  form.append("method", recording.method);
  if (action !== null) form.append("action_hash", action);
  if (recording.challenge !== null) form.append("challenge", recording.challenge);
  form.append("observations", JSON.stringify(recording.observations));
  recording.stills.forEach((still, index) => form.append("frames", still, `still-${index}.jpg`));
  recording.challengeFrames.forEach((frame, index) => form.append("challenge_frames", frame, `frame-${index}.jpg`));
  return form;
}

/** Longest silence before an upload counts as lost: a slow line moves bytes, a dead one does not. */
const SILENCE_MS = 30_000;

/** Post the form. `sent` hears the share of bytes that went out. Rejects with `ApiError` or `NoAnswer`. */
export function upload(
  request: XMLHttpRequest,
  url: string,
  headers: Record<string, string>,
  submission: Submission,
  sent: (share: number) => void,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let watch: ReturnType<typeof setTimeout>;
    const alive = () => {
      clearTimeout(watch);
      watch = setTimeout(() => request.abort(), SILENCE_MS);
    };
    const lost = () => {
      clearTimeout(watch);
      reject(new NoAnswer());
    };
    request.open("POST", url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => {
      alive();
      if (event.lengthComputable) sent(event.loaded / event.total);
    };
    request.upload.onload = () => sent(1);
    request.onerror = lost;
    request.onabort = lost;
    request.onload = () => {
      clearTimeout(watch);
      if (request.status < 200 || request.status >= 300) {
        reject(errorOf(request.status, request.responseText, request.getResponseHeader("Retry-After")));
        return;
      }
      try {
        resolve(JSON.parse(request.responseText));
      } catch {
        reject(new NoAnswer());
      }
    };
    alive();
    request.send(formOf(submission));
  });
}
