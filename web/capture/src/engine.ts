/**
 * Camera, guidance and recorder in one lazily loaded part: nothing of it is needed before the person taps *Continue*.
 */
export { openCamera } from "./camera/camera";
export { CameraError } from "./camera/problem";
export { loadGuidance } from "./guidance/guidance";
export { RecordingInterrupted } from "./recording/interruption";
export { record } from "./recording/record";
