/** Asks a relay for a wrapper token, as a device does. @throws when it gives none */
export const bootstrap = async (url: string, deviceId = "test-device-0001"): Promise<string> => {
  const response = await fetch(`${url}/bootstrap`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ device_id: deviceId }),
  });
  const text = await response.text();
  if (response.status !== 200) {
    throw new Error(`bootstrap answered ${response.status}: ${text}`);
  }
  return (JSON.parse(text) as { wrapper_token: string }).wrapper_token;
};
