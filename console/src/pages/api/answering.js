// Whether a gateway can take requests now.

/** Whether one of its processes answers the console. */
export function isAnswering({ health }) {
  return health !== "failed" && health !== "stopped";
}
