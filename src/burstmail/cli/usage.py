"""What `burstmail --help` says around the options."""

from __future__ import annotations

USAGE = """burstmail [run] --to ADDRESS [options] < LINES
       burstmail [run] --to ADDRESS [options] [--file PATTERN] [--listen URL] [--journal]
       burstmail [run] -c FILE [options]
       burstmail run --to ADDRESS [options] -- COMMAND [ARGUMENT...]
       burstmail check|test-mail -c FILE|--to ADDRESS [options]
       burstmail setup syslog-ng|rsyslog|journald|systemd [-c FILE] [options]
       burstmail queue [-c FILE] [--state DIR] [--name NAME] [list|check|show KEY|retry KEY...|--all|delete KEY...]
       burstmail bundle FILE [--python PATH]"""

ABOUT = """\
Read log lines, on standard input or from files, the network or the journal, and send one mail per burst: lines that
come close together become one mail, which says how many they are. A flood is delayed, merged and counted, never
dropped. What is read is written down first and survives a crash, a restart and a mail server that is down. Ends at end
of input or on SIGTERM."""

MORE = """\
durations are written 5s, 10m, 1h30m; sizes 65536, 64k, 1M.

behind syslog-ng (say /etc/syslog-ng/conf.d/mail.conf; a source of your own needs flags(no-multi-line)):
  filter f_auth { facility(auth, authpriv) and message("authentication failure|Failed password"); };
  destination d_mail {
    program("exec /usr/local/bin/burstmail --to root --key host,program"
      template("<${PRI}>${ISODATE} ${HOST} ${MSGHDR}${MESSAGE}\\n")
      log-fifo-size(100000) keep-alive(yes));
  };
  log { source(s_src); filter(f_auth); destination(d_mail); };

without a logger in front:
  burstmail --to root --journal --at-least err --key host,program
  burstmail --to root --file '/var/log/app/*.log' --include 'ERROR|FATAL' --join
  burstmail --to root --listen udp://0.0.0.0:514 --listen tcp://0.0.0.0:514 --allow 192.0.2.0/24

with settings and routes in a file (docs/configuration.md):
  burstmail check -c /etc/burstmail.toml && burstmail test-mail -c /etc/burstmail.toml
  burstmail run -c /etc/burstmail.toml

`burstmail check` says what these options or a file mean, and all that is wrong with them.
`burstmail test-mail` sends one mail the way they say, and tells what happens to it step by step.
`burstmail setup journald` prints a systemd unit, `burstmail setup syslog-ng` a stanza, with the paths of this program.
`burstmail run ... -- COMMAND` runs a command, mails its output when it ends, and ends with its status.
`burstmail queue` shows the mails that wait and those that were given up; see `burstmail queue --help`.
`burstmail bundle FILE` writes burstmail as one executable file, for a host without pip.

signals: SIGTERM and SIGINT read what is in the pipe, mail what is open and end within 5 seconds (a second SIGINT reads
no further); SIGHUP mails at once what is open, as far as the caps allow, and reads the file of -c again; SIGUSR1 writes
the counts to the log.

exit status: 0 all mail is handed over or kept for the next start; 75 some is lost (the log says how much, and why);
78 an option is wrong; 74 an input cannot be read; 70 a bug. Before 78, 74 and 70 it waits 5 seconds, unless at
a terminal, since a supervisor would start it again at once."""
