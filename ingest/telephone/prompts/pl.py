"""Polski."""

from __future__ import annotations

VOICE = ("Polly.Ewa", "pl-PL")

TEXTS = {
    "welcome": "Witamy w systemie rejestracji wizyt.",
    "for_this_language": "Po polsku: proszę nacisnąć {digits}, a potem krzyżyk.",
    "ask_pin": "Proszę wpisać swój PIN, a potem krzyżyk.",
    "ask_staff": "Proszę wpisać swój numer pracownika albo numer własnego telefonu komórkowego, a potem krzyżyk.",
    "ask_way": "Przyjście: proszę nacisnąć 1. Wyjście: proszę nacisnąć 2.",
    "offer_person": "{person}: proszę nacisnąć {digits}.",
    "offer_person_at": "{person}, godzina {time}: proszę nacisnąć {digits}.",
    "ask_other": "Inna osoba: proszę nacisnąć {digits}.",
    "ask_card": "Proszę wpisać numer karty, która jest w domu, a potem krzyżyk. Jeśli jej nie ma, sam krzyżyk.",
    "ask_code": "Proszę wpisać kod, który karta w domu teraz pokazuje, a potem krzyżyk. Jeśli jej nie ma, sam krzyżyk.",
    "ask_answered": "Tu system rejestracji wizyt, oddzwaniamy. Proszę wpisać podany kod.",
    "ask_tasks": "Proszę wpisać numery wykonanych zadań, od 1 do {digits}, a potem krzyżyk. Albo się rozłączyć.",
    "help_welcome": "PIN to numer otrzymany z biura. Po nim proszę nacisnąć krzyżyk.",
    "help_staff": "Numer pracownika jest na identyfikatorze lub w grafiku. Może też być numer własnej komórki.",
    "help_pin": "PIN to numer otrzymany z biura. Jeśli ta wizyta nie jest dziś w grafiku: 9, a potem krzyżyk.",
    "help_way": "1 przy przyjściu, 2 przy wyjściu. Czas liczy się od naciśnięcia.",
    "help_person": "Proszę nacisnąć cyfrę podaną przy odwiedzanej osobie.",
    "help_card": "Numer jest wydrukowany na karcie. Czas jest już zapisany.",
    "help_code": "Karta co minutę pokazuje nowy kod. Czas jest już zapisany.",
    "help_answered": "Osoba, która przed chwilą się rejestrowała, usłyszała cztery cyfry. Inni mogą się rozłączyć.",
    "help_tasks": "To numery z planu opieki. Czas jest już zapisany.",
    "not_heard": "Nic nie wpisano.",
    "not_understood": "Nie ma takiej możliwości.",
    "nothing_recorded": "Nic nie zapisano. Proszę zadzwonić ponownie albo powiadomić biuro.",
    "goodbye": "Do widzenia.",
    "staff_unknown": "Ten numer nie jest znany.",
    "pin_wrong": "Ten PIN nie jest tu znany. Jeśli ta wizyta nie jest dziś w grafiku: 9, a potem krzyżyk.",
    "pin_unclear": "Ten PIN ma tu więcej niż jedna osoba.",
    "too_many_here": "Z tego telefonu podano zbyt wiele błędnych numerów PIN.",
    "too_many": "Podano zbyt wiele błędnych numerów PIN. Proszę spróbować za kwadrans albo powiadomić biuro.",
    "card_unknown": "Ta karta nie jest znana.",
    "caller_mobile": "To połączenie z telefonu komórkowego. Wizyta zostanie zapisana z taką adnotacją.",
    "caller_unknown": "To nie jest telefon z domu tej osoby. Wizyta zostanie zapisana z taką adnotacją.",
    "caller_withheld": "Numer jest zastrzeżony. Wizyta zostanie zapisana z taką adnotacją.",
    "ring_back": "Teraz oddzwonimy na ten telefon. Proszę się rozłączyć, odebrać i wpisać {digits}."
    " Jeszcze raz: {digits}.",
    "checked_in": "{person}. Godzina {time}. Przyjście zapisane.",
    "checked_in_somewhere": "Godzina {time}. Przyjście zapisane. Biuro ustali, czyj to dom.",
    "checked_out": "{person}. Godzina {time}. Wyjście zapisane.",
    "checked_out_somewhere": "Godzina {time}. Wyjście zapisane. Biuro ustali, czyj to dom.",
    "not_recorded": "Nie udało się tego zapisać. Proszę powiadomić biuro.",
    "tasks_kept": "Zadania zapisane.",
    "try_again": "Chwileczkę.",
    "away": "System jest teraz niedostępny. Proszę zadzwonić za kilka minut albo powiadomić biuro.",
    "sms_in": "Przyjście zapisane: {person}, {time}.",
    "sms_in_somewhere": "Przyjście zapisane: {time}. Biuro ustali, czyj to dom.",
    "sms_out": "Wyjście zapisane: {person}, {time}.",
    "sms_out_somewhere": "Wyjście zapisane: {time}. Biuro ustali, czyj to dom.",
    "sms_unknown_mobile": "Ten telefon nie jest u nas zarejestrowany i nic nie zapisano. Proszę zapytać biuro.",
    "sms_unclear": "Nic nie zapisano. Przy przyjściu proszę wysłać WEJSCIE, przy wyjściu WYJSCIE.",
    "sms_several": "Ten telefon ma kilka osób. Proszę dodać PIN: WEJSCIE, odstęp, PIN. Nic nie zapisano.",
    "sms_not_recorded": "Nie udało się tego zapisać. Proszę powiadomić biuro.",
}

TITLES = {"mr": "pan", "mrs": "pani", "ms": "pani", "miss": "pani", "dr": "doktor"}

DIGITS = ("zero", "jeden", "dwa", "trzy", "cztery", "pięć", "sześć", "siedem", "osiem", "dziewięć")

_HOURS = (
    "zero",
    "pierwsza",
    "druga",
    "trzecia",
    "czwarta",
    "piąta",
    "szósta",
    "siódma",
    "ósma",
    "dziewiąta",
    "dziesiąta",
    "jedenasta",
    "dwunasta",
    "trzynasta",
    "czternasta",
    "piętnasta",
    "szesnasta",
    "siedemnasta",
    "osiemnasta",
    "dziewiętnasta",
    "dwudziesta",
    "dwudziesta pierwsza",
    "dwudziesta druga",
    "dwudziesta trzecia",
)
_TEENS = (
    "dziesięć",
    "jedenaście",
    "dwanaście",
    "trzynaście",
    "czternaście",
    "piętnaście",
    "szesnaście",
    "siedemnaście",
    "osiemnaście",
    "dziewiętnaście",
)
_TENS = ("", "", "dwadzieścia", "trzydzieści", "czterdzieści", "pięćdziesiąt")


def clock(hour: int, minute: int) -> tuple[str, ...]:
    """9:02: dziewiąta, zero dwa."""
    return _HOURS[hour], "zero zero" if minute == 0 else _number(minute)


def _number(n: int) -> str:
    if n < 10:
        return f"zero {DIGITS[n]}"
    if n < 20:
        return _TEENS[n - 10]
    return f"{_TENS[n // 10]} {DIGITS[n % 10]}" if n % 10 else _TENS[n // 10]
