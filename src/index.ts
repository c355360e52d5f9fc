process.stdout.write('wreckit\n');
