"""Runs many small programs, a few at a time, and prints what became of each as JSON."""

import concurrent.futures
import json
import os
import subprocess
import sys
import time

work = os.environ['WS'] + '/scratch'
programs = json.load(open(os.environ['WS'] + '/programs.json'))
COMMANDS = {'python': ('/usr/bin/python3', 'py'), 'shell': ('/usr/bin/bash', 'sh'), 'javascript': ('node', 'js')}


def run(program):
    command, extension = COMMANDS[program['language']]
    scratch = f"{work}/{program['id']}"
    os.makedirs(scratch, exist_ok=True)
    path = f'{scratch}/program.{extension}'
    with open(path, 'w') as file:
        file.write(program['program'])
    begun = time.time()
    log = open(f'{scratch}/log', 'w+', errors='replace')
    try:
        ended = subprocess.run([command, path], cwd=scratch, env={**os.environ, 'SCRATCH': scratch},
                               stdin=0, stdout=log, stderr=log, timeout=int(os.environ['SECONDS_EACH']), start_new_session=True, close_fds=False)
        code = ended.returncode
    except subprocess.TimeoutExpired:
        code = 'timeout'
    log.seek(0)
    return program['id'], {'code': code, 'seconds': round(time.time() - begun, 1), 'log': log.read()[-600:]}


with concurrent.futures.ThreadPoolExecutor(int(os.environ['AT_ONCE'])) as pool:
    # Some move what others look at: those go one by one.
    results = [run(program) for program in programs if program['alone']]
    results += pool.map(run, [program for program in programs if not program['alone']])
    json.dump(dict(results), sys.stdout)
