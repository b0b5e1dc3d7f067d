/** Opens the camera, keeps it open across a look at another tab, and says what the browser claims of it. */

import type { Camera, CameraFacts, CameraOptions } from "../recording/types";
import { FrameClock } from "./frame_clock";
import { CameraError, isWebView, problemBefore, problemOf } from "./problem";

/** UX.md 1.7: web views that spin for ever are told within 5 s. A browser's prompt may stay as long as it likes. */
const WEBVIEW_ANSWER_MS = 5_000;
/** From the camera's yes to its first picture; a camera that another program holds stays silent for ever. */
const FIRST_FRAME_MS = 8_000;

/**
 * Play the camera in `video`. Call it from a tap: the permission is asked for here.
 * Throws `CameraError`.
 */
export async function openCamera(video: HTMLVideoElement, options: CameraOptions): Promise<Camera> {
  const webView = isWebView(navigator.userAgent);
  const before = problemBefore({
    secure: window.isSecureContext,
    canAsk: typeof navigator.mediaDevices?.getUserMedia === "function",
    webView,
  });
  if (before !== null) throw new CameraError(before);
  const camera = new OpenCamera(video, options, webView);
  await camera.start();
  return camera;
}

class OpenCamera implements Camera {
  private stream: MediaStream | null = null;
  private clock: FrameClock | null = null;
  private cameras: number | null = null;
  private lastFacts: CameraFacts | null = null;
  private lost: (() => void) | null = null;
  private stopped = false;
  private reopening = false;
  private readonly onVisibility = () => void this.followVisibility();
  private readonly onPageHide = () => this.release();
  private readonly onDevices = () => void this.countCameras();

  constructor(
    private readonly video: HTMLVideoElement,
    private options: CameraOptions,
    private readonly webView: boolean,
  ) {}

  async start(): Promise<void> {
    try {
      await this.attach(await ask(this.options, this.webView));
    } catch (error) {
      this.stop();
      throw error;
    }
    document.addEventListener("visibilitychange", this.onVisibility);
    // A page in the back/forward cache must not hold the camera either.
    window.addEventListener("pagehide", this.onPageHide);
    navigator.mediaDevices.addEventListener?.("devicechange", this.onDevices);
    await this.countCameras();
  }

  facts(): CameraFacts {
    const track = this.stream?.getVideoTracks()[0];
    if (track === undefined && this.lastFacts !== null) return this.lastFacts;
    const settings: MediaTrackSettings = track?.getSettings?.() ?? {};
    this.lastFacts = {
      label: (track?.label ?? "").slice(0, 256),
      facing: settings.facingMode?.slice(0, 32) ?? null,
      width: settings.width ?? null,
      height: settings.height ?? null,
      frame_rate: settings.frameRate ?? null,
      video_width: this.video.videoWidth || null,
      video_height: this.video.videoHeight || null,
      cameras: this.cameras,
    };
    return this.lastFacts;
  }

  async devices(): Promise<{ id: string; label: string }[]> {
    const all = (await navigator.mediaDevices.enumerateDevices?.()) ?? [];
    return all.filter(({ kind }) => kind === "videoinput").map(({ deviceId, label }) => ({ id: deviceId, label }));
  }

  frameTimes(): number[] {
    return this.clock?.frameTimes() ?? [];
  }

  nextFrame(signal?: AbortSignal): Promise<number> {
    if (this.clock === null) return Promise.reject(new CameraError("unknown"));
    return this.clock.next(signal);
  }

  stop(): void {
    this.stopped = true;
    this.clock?.stop();
    this.release();
    document.removeEventListener("visibilitychange", this.onVisibility);
    window.removeEventListener("pagehide", this.onPageHide);
    navigator.mediaDevices.removeEventListener?.("devicechange", this.onDevices);
  }

  onEnded(callback: () => void): void {
    this.lost = callback;
  }

  private async attach(stream: MediaStream): Promise<void> {
    this.stream = stream;
    const track = stream.getVideoTracks()[0];
    track?.addEventListener("ended", () => this.loseIf(stream));
    // The same camera on return, whatever the browser thinks is the best one then.
    const deviceId = track?.getSettings?.().deviceId;
    if (deviceId) this.options = { ...this.options, deviceId };
    // Without these an iPhone plays full screen or not at all.
    this.video.muted = true;
    this.video.playsInline = true;
    this.video.setAttribute("playsinline", "");
    this.video.srcObject = stream;
    this.clock ??= new FrameClock(this.video);
    await Promise.all([play(this.video), firstFrame(this.video)]);
  }

  private release(): void {
    if (this.stream !== null) this.facts();
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    this.video.srcObject = null;
  }

  private async followVisibility(): Promise<void> {
    if (this.stopped) return;
    if (hidden()) return this.release();
    if (this.stream !== null || this.reopening) return;
    this.reopening = true;
    try {
      const stream = await ask(this.options, this.webView);
      if (this.stopped || hidden()) stream.getTracks().forEach((track) => track.stop());
      else await this.attach(stream);
    } catch {
      this.lose();
    } finally {
      this.reopening = false;
    }
  }

  // Tracks that we stop ourselves do not fire `ended`; a stream that was replaced may.
  private loseIf(stream: MediaStream): void {
    if (this.stream === stream) this.lose();
  }

  private lose(): void {
    if (this.stopped) return;
    this.stop();
    this.lost?.();
  }

  private async countCameras(): Promise<void> {
    try {
      this.cameras = (await this.devices()).length;
    } catch {
      this.cameras = null;
    }
  }
}

function hidden(): boolean {
  return document.visibilityState === "hidden";
}

async function ask(options: CameraOptions, webView: boolean): Promise<MediaStream> {
  const size = { width: { ideal: 1280 }, height: { ideal: 720 } };
  try {
    const wanted: MediaTrackConstraints = options.deviceId
      ? { ...size, deviceId: { exact: options.deviceId } }
      : { ...size, facingMode: { ideal: options.facing } };
    return await answered(wanted, webView);
  } catch (error) {
    if (error instanceof CameraError) throw error;
    // The remembered camera is gone: any other will do.
    if (options.deviceId && problemOf(error, webView) === "none") {
      return ask({ facing: options.facing }, webView);
    }
    throw new CameraError(problemOf(error, webView), error);
  }
}

async function answered(video: MediaTrackConstraints, webView: boolean): Promise<MediaStream> {
  const asking = navigator.mediaDevices.getUserMedia({ video, audio: false });
  if (!webView) return asking;
  const late = afterwards(WEBVIEW_ANSWER_MS);
  const first = await Promise.race([asking, late.done]);
  late.cancel();
  if (first !== undefined) return first;
  // Should it answer after all, nobody would stop that camera.
  void asking.then((stream) => stream.getTracks().forEach((track) => track.stop())).catch(() => undefined);
  throw new CameraError("webview");
}

async function play(video: HTMLVideoElement): Promise<void> {
  try {
    await video.play();
  } catch (error) {
    // A muted video may always play; an AbortError only says that a newer stream took its place.
    if (!(error instanceof DOMException && error.name === "AbortError")) throw new CameraError("unknown", error);
  }
}

async function firstFrame(video: HTMLVideoElement): Promise<void> {
  if (video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA && video.videoWidth > 0) return;
  let shown: () => void = () => undefined;
  const frame = new Promise<"shown">((resolve) => {
    shown = () => resolve("shown");
    video.addEventListener("loadeddata", shown, { once: true });
  });
  const late = afterwards(FIRST_FRAME_MS);
  const first = await Promise.race([frame, late.done]);
  late.cancel();
  video.removeEventListener("loadeddata", shown);
  if (first === undefined) throw new CameraError("busy");
}

function afterwards(ms: number): { done: Promise<undefined>; cancel: () => void } {
  let timer: ReturnType<typeof setTimeout>;
  const done = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  return { done, cancel: () => clearTimeout(timer) };
}
