// The environment of the fixtures. Values of keys appear nowhere else, so a test can look for them.

export const ENV: Readonly<Record<string, string>> = {
  OPENAI_API_KEY: 'sk-zqx-openai',
  ANTHROPIC_API_KEY: 'sk-zqx-anthropic',
  MISTRAL_API_KEY: 'zqx-mistral',
  GROQ_API_KEY: 'zqx-groq',
  DEEPSEEK_API_KEY: 'zqx-deepseek',
  HOUSE_KEY: 'zqx-house',
  OTHER_KEY: 'zqx-other',
  KEY_ONE: 'zqx-one',
  KEY_TWO: 'zqx-two',
  CHATGPT_ACCESS_TOKEN: 'zqx-chatgpt',
  CHATGPT_ACCOUNT_ID: 'account-7',
  REDIS_URL: 'rediss://:zqx-redis@redis:6380',
  DB_PASSWORD: 'zqx:pass"word#1',
  OTEL_HOST: 'collector',
  POSTHOG_KEY: 'zqx-posthog',
  QUOTES_KEY: 'zqx-quotes',
  ADMIN_TOKEN: 'zqx-admin',
  MODEL: 'gpt-4o',
  SLUICE_SHARDS: '',
}
