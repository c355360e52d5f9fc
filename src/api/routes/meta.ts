/** The API about itself. */
import { json } from '../reply.ts';
import { httpRoute, type Route } from '../route.ts';

const openapi = httpRoute({
  method: 'GET',
  path: '/openapi.json',
  summary: 'This API description',
  handle: async ({ api }) => json(api.openapi()),
});

export const metaRoutes: readonly Route[] = [openapi];
