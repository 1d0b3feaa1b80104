/** An upstream's error as an app is to see it. */
export type AppFailure = Readonly<{
  status: number;
  type: string;
  message: string;
  /** `never` tells clients not to repeat the call by themselves. */
  retry?: "never";
}>;

/**
 * What an upstream's error means for an app. Its credential is ours, not the caller's, so what it says of
 * that is no 401 here; what is wrong with the request itself stays a 400.
 */
export const appFailureOf = (status: number, type: string, message: string): AppFailure => {
  switch (status) {
    case 400:
    case 404:
    case 422:
      return { status: 400, type: "invalid_request_error", message };
    case 413:
    case 429:
      return { status, type, message };
    case 401:
    case 402:
    case 403:
      return {
        status: 502,
        type: "api_error",
        message: "Upstream refused this relay's own credential. The operator's log says more.",
      };
    case 408:
    case 504:
      return { status: 504, type: "timeout_error", message };
    default:
      return { status: 502, type: type === "overloaded_error" ? type : "api_error", message };
  }
};
