process.stdout.write('wisp\n');
