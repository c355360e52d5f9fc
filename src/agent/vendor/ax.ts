/** What is used of Ax, in a bundle of its own: nobody else's start pays for it. Load it with `loadVendor('ax')`. */
export {
  AxAIAnthropic,
  AxAIGoogleGemini,
  type AxAIService,
  type AxChatRequest,
  type AxChatResponse,
  type AxCodeRuntime,
  type AxCodeSession,
  type AxFunction,
  AxMockAIService,
  agent,
  ai,
} from '@ax-llm/ax';
