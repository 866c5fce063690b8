"""Words that every text has and no question is about: articles, pronouns, question words, auxiliary verbs.

Of the languages that notes are most often written in; where a language is not here, rarity alone decides. Written as
terms are: without capitals and accents. Pure.
"""

from picklebot.memory.terms import normal

_TEXT = """
a about after all also am an and any are as at be been before being but by can could did do does doing done for from
get gets got had has have having he her here him his how i if in into is it its just may me mine must my near no nor not
now of off on once one only or our out over please shall she should so some such than that the their them then there
these they this those to too until up upon us very was we were what when where which while who whom whose why will with
would you your yours
aber als am an auch auf aus bei bin bis da dann das dass dein dem den denn der des dich die dir du ein eine einem einen
einer eines er es euch fur hab habe haben hat ich ihm ihn ihr im in ist ja kann kein keine man mein mich mir mit muss
nach nicht noch nur ob oder schon sein seine sich sie sind so soll uber um und uns unser vom von vor wann war warum was
wem wen wenn wer werden wie wieder will wir wird wo wurde zu zum zur zwischen
au aux avec ce ces cette chez comment d dans de des du elle en est et etre il ils j je l la le les leur lui ma mais me
mes moi mon n ne nos notre nous ou on par pas pour pourquoi qu quand que quel quelle quels qui quoi s sa se ses son sont
sur ta te toi ton tu un une vos votre vous y
al como con cual cuando cuanto de del desde donde e el ella en entre era es esta este esto fue ha hay la las le lo los
mas me mi mis muy nos o para pero por porque que quien se ser si sin sobre son su sus tu un una y ya yo
ao aos as com da das do dos em ela ele essa esse eu foi isso na nas nem no nos num o onde os ou para pela pelo por quando
quem sao sem seu sua tem um uma
che chi ci cosa da dei della delle di dove e gli ha i il io la le lo ma mi ne nel non per perche piu quando quanto si
sono sta su ti tra un una
aan bij dat de den deze die dit een en er haar heb heeft het hij hoe hoeveel ik in is je kan me met mijn naar niet of om
ons ook op te tot uit van voor waar wanneer wat we wie wij ze zij zijn
что где как когда кто на не по от до за из для или это его её мы вы он она они у о с в и а но
"""
SMALL = frozenset(normal(_TEXT).split())
