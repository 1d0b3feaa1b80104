/** Made-up secrets, the same in every test. */
export const adminToken = "test-admin-token-0123456789abcdef";
export const masterKey = "sk-ant-test-master-key-0001";
export const jwtSecret = "test-jwt-secret-0123456789abcdef0123456789abcdef";
