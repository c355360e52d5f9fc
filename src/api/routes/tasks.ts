/**
 * Tasks: wishes that a sprite stay awake, with an end. The calls are those that Fly has inside its sprites; here
 * they are made from outside.
 */
import type { z } from 'zod';
import { parseDurationMs } from '../../contract/units.ts';
import type { ApiContext } from '../api-context.ts';
import { capability } from '../capability.ts';
import { HttpRefusal } from '../http-refusal.ts';
import { json, noContent } from '../reply.ts';
import { httpRoute, type Route } from '../route.ts';
import { CreateTask, Task, TaskList, UpsertTasks } from '../schemas/tasks.ts';

const MS = 1000;

const list = httpRoute({
  method: 'GET',
  path: '/v1/sprites/{name}/tasks',
  summary: 'List what keeps a sprite awake; does not wake it',
  answers: { 200: TaskList },
  async handle({ api, params, signal }) {
    return json({ tasks: await sleepOf(api).tasks(params.name, { signal }) });
  },
});

const create = httpRoute({
  method: 'POST',
  path: '/v1/sprites/{name}/tasks',
  summary: 'Keep a sprite awake for a time, at most 24 hours; does not wake it',
  description: '409 if a task of this name exists.',
  body: CreateTask,
  answers: { 201: Task },
  async handle({ api, params, body, signal }) {
    const spec = { expiresInMs: expiryMs(body.expire), isNew: true, signal };
    return json(await sleepOf(api).setTask(params.name, body.name, spec), 201);
  },
});

const put = httpRoute({
  method: 'PUT',
  path: '/v1/sprites/{name}/tasks/{task}',
  summary: 'Create a task, or change when it ends',
  body: UpsertTasks,
  answers: { 200: Task },
  async handle({ api, params, body, signal }) {
    const spec = { expiresInMs: expiryMs(body.expire), signal };
    return json(await sleepOf(api).setTask(params.name, params.task, spec));
  },
});

const remove = httpRoute({
  method: 'DELETE',
  path: '/v1/sprites/{name}/tasks/{task}',
  summary: 'End a task',
  answers: { 204: null },
  async handle({ api, params, signal }) {
    const isGone = await sleepOf(api).removeTask(params.name, params.task, { signal });
    if (isGone) return noContent();
    throw new HttpRefusal(404, 'task_not_found', `task not found: ${params.task}`);
  },
});

function sleepOf({ engine }: ApiContext) {
  return capability(engine.sleep, 'tasks');
}

function expiryMs(expire: z.output<typeof CreateTask>['expire']): number {
  return typeof expire === 'number' ? expire * MS : parseDurationMs(expire);
}

export const taskRoutes: readonly Route[] = [list, create, put, remove];
