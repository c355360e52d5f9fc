import { serviceTable } from '../../../cli/service-text.ts';
import { assertSpriteName } from '../../../contract/names.ts';
import { serviceView } from '../../../engine/service-view.ts';
import { calledAs } from '../../called-as.ts';
import { createEngine } from '../../create-engine.ts';
import type { WispVerb } from '../../globals.ts';
import { servicesOf } from './services.ts';

export const verb: WispVerb<Record<never, never>, [name: string]> = {
  define: (command) => command.argument('<sprite>', 'Name of the sprite', assertSpriteName),
  examples: [['wisp service list demo', 'Services, their status and their commands']],
  async run({ args: [name], signal, ...context }) {
    const services = await servicesOf(await createEngine(context)).list(name, { signal });
    const views = services.map(serviceView);
    const hint = `no services; add one: ${calledAs(context.io.env)} service add ${name} web -- COMMAND`;
    return {
      data: { services: views },
      text: (format) => (views.length === 0 ? hint : serviceTable(views, format)),
    };
  },
};
